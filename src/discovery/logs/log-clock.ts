const MINUTE = 'YYYY-MM-DD HH:MM:'.length;
const SECOND = MINUTE + 2;

/**
 * Reads the times of a log: '2026-11-27 19:08:50.991 CET', the milliseconds left out in some.
 *
 * What an abbreviation stands for hangs on the server's settings. But a session's id begins with the second in which
 * it began, so that its start, which the log writes too, tells the offset of its zone.
 */
export class LogClock {
  readonly #offsets = new Map<string, number>([
    ['UTC', 0],
    ['GMT', 0],
    ['Z', 0],
  ]);
  /** The text before the seconds of the time that was read last, the zone behind them, and what they mean. */
  #minute = '';
  #minuteTime = 0;
  #zone = '';
  #offset = 0;
  /** Zones that could not be told, and were taken to be UTC. */
  readonly unknown = new Set<string>();

  /**
   * Milliseconds since 1970 of a time at [start, end); NaN where it is none.
   * @param learn called when the zone is not known yet: gives the start of a session and its id, if the log has them
   */
  read(text: Buffer, start: number, end: number, learn: () => readonly [string, string] | null = NOTHING): number {
    if (end - start < SECOND) return Number.NaN;
    if (!sameText(text, start, this.#minute)) {
      const minute = text.toString('latin1', start, start + MINUTE);
      const at = minuteOf(minute);
      if (Number.isNaN(at)) return Number.NaN;
      this.#minute = minute;
      this.#minuteTime = at;
    }
    let at = start + SECOND;
    let millis = twoDigits(text, start + MINUTE) * 1000;
    if (text[at] === 0x2e) {
      let worth = 100;
      for (at += 1; at < end && isDigit(text[at]); at += 1) {
        millis += worth * ((text[at] as number) - 0x30);
        worth /= 10;
      }
    }
    while (at < end && text[at] === 0x20) at += 1;
    if (end - at !== this.#zone.length || !sameText(text, at, this.#zone)) {
      const zone = text.toString('latin1', at, end);
      const offset = this.#offsetOf(zone, learn);
      if (offset === null) {
        // Of the zones of this log one may be known that is an hour off, as in summer; better than none.
        this.unknown.add(zone);
        return this.#minuteTime + millis - this.#offset;
      }
      this.#zone = zone;
      this.#offset = offset;
    }
    return this.#minuteTime + millis - this.#offset;
  }

  #offsetOf(zone: string, learn: () => readonly [string, string] | null): number | null {
    const known = this.#offsets.get(zone) ?? numericOffset(zone);
    if (known !== null) return known;
    const session = learn();
    if (session !== null) this.#learn(...session);
    const learned = this.#offsets.get(zone) ?? null;
    if (learned !== null) this.unknown.delete(zone);
    return learned;
  }

  #learn(sessionStart: string, sessionId: string): void {
    const written = minuteOf(sessionStart.slice(0, MINUTE)) + Number(sessionStart.slice(MINUTE, SECOND)) * 1000;
    const real = Number.parseInt(sessionId, 16) * 1000;
    if (Number.isNaN(written) || Number.isNaN(real)) return;
    this.#offsets.set(sessionStart.slice(SECOND).trim(), written - real);
  }
}

const NOTHING = (): null => null;

/** As if it were UTC; NaN where it is not 'YYYY-MM-DD HH:MM:'. */
function minuteOf(text: string): number {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:$/.test(text)) return Number.NaN;
  return Date.parse(`${text.slice(0, 10)}T${text.slice(11, 16)}:00Z`);
}

/** '+03', '-0330', '+05:30' in milliseconds; null where it is a name. */
function numericOffset(zone: string): number | null {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  if (match === null) return zone === '' ? 0 : null;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return (match[1] === '-' ? -minutes : minutes) * 60_000;
}

function sameText(bytes: Buffer, start: number, text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

const twoDigits = (bytes: Buffer, at: number): number =>
  ((bytes[at] as number) - 0x30) * 10 + ((bytes[at + 1] as number) - 0x30);
