import { PgfigError } from '../../errors/pgfig-error.js';
import type { Channel, ChannelOwner } from '../../net/channel.js';
import {
  backendKeyData,
  commandComplete,
  emptyQueryResponse,
  noticeResponse,
  portalSuspended,
} from '../../wire/backend-messages.js';
import { decodeQuery } from '../../wire/decode.js';
import { checkFrontendHeader, type Frame, FrameReader } from '../../wire/framer.js';
import { F } from '../../wire/types.js';
import { ClientEnd, IDLE } from '../client/client-end.js';
import { SHUTDOWN } from '../session-core.js';
import type { Traffic } from '../traffic.js';
import type { SessionInfo } from '../traffic-events.js';
import type { ConsoleAnswer, ConsoleColumn, ConsoleCommand, ConsoleValue } from './console.js';
import { consoleRow, describeColumns } from './console-rows.js';
import { ConsoleStatements } from './console-statements.js';

/** A command is short; nothing longer is kept in memory for one that is not. */
const MESSAGE_LIMIT = 64 * 1024;
/** Rows are made in lots of this many, so that a long answer does not hold up the worker's traffic. */
const LOT = 200;

/**
 * A session of the console: one command at a time, no backend, no transactions, no statement cache. The client is not
 * read while a command runs, and rows are made no faster than it takes them.
 */
export class ConsoleSession implements ChannelOwner {
  readonly info: SessionInfo;
  readonly #traffic: Traffic;
  readonly #client: ClientEnd;
  readonly #statements: ConsoleStatements;
  readonly #frames = new FrameReader(MESSAGE_LIMIT);
  #working = false;
  /** An error was shown within the extended protocol: messages are dropped until Sync. */
  #skipping = false;
  #draining = false;
  #closed = false;
  #cancel: ((error: PgfigError) => void) | null = null;
  #onRoom: (() => void) | null = null;

  constructor(traffic: Traffic, channel: Channel, info: SessionInfo) {
    this.#traffic = traffic;
    this.info = info;
    this.#client = new ClientEnd(channel, traffic.counters);
    this.#statements = new ConsoleStatements(traffic.console, (message) => this.#client.say(message));
    channel.setOwner(this);
  }

  get busy(): boolean {
    return this.#working;
  }

  welcome(secret: Buffer, parameters: ReadonlyMap<string, string>): void {
    for (const [name, value] of parameters) this.#client.report(name, value);
    this.#client.say(backendKeyData(this.info.pid, secret));
    this.#client.sayReady(IDLE);
    this.#client.flush();
  }

  onData(chunk: Buffer, owned: boolean): void {
    this.#traffic.counters.fromClients += chunk.length;
    this.#frames.push(owned ? chunk : Buffer.from(chunk));
    if (this.#working) this.#client.channel.pause();
    else void this.#work();
  }

  onDrain(): void {
    this.#onRoom?.();
  }

  onClosed(error: Error | null): void {
    this.close(
      error === null ? 'the client closed the connection' : `the client's connection failed: ${error.message}`,
    );
  }

  /** What the client waits for ends with 57014; between commands there is nothing to cancel. */
  cancel(): void {
    this.#cancel?.(new PgfigError('CANCELED', 'canceling statement due to user request'));
  }

  drain(): void {
    this.#draining = true;
    if (!this.#working) this.close('pgfig is shutting down', SHUTDOWN);
  }

  close(reason: string, lastWords: PgfigError | null = null): void {
    if (this.#closed) return;
    this.#closed = true;
    if (lastWords !== null) this.#client.sayError(lastWords);
    this.#client.flush();
    this.#client.channel.end();
    this.#cancel?.(SHUTDOWN);
    this.#onRoom?.();
    this.#traffic.closed(this.info.pid);
    this.#traffic.events.sessionClosed(this.info, reason);
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let frame = this.#frames.next(); frame !== null; frame = this.#frames.next()) {
        await this.#message(frame);
        if (this.#closed) return;
      }
    } catch (error) {
      return this.#end(error);
    } finally {
      this.#working = false;
    }
    this.#client.flush();
    if (this.#draining) this.close('pgfig is shutting down', SHUTDOWN);
    else this.#client.channel.resume();
  }

  /** @throws PgfigError what ends the session */
  async #message({ type, body }: Frame): Promise<void> {
    checkFrontendHeader(type, body.length + 4);
    if (type === F.Terminate) return this.close('the client closed the connection');
    if (type === F.Sync) {
      this.#skipping = false;
      this.#statements.endPortals();
      return this.#client.sayReady(IDLE);
    }
    if (type === F.Query) return this.#query(body);
    if (this.#skipping) return;
    try {
      await this.#extended(type, body);
    } catch (error) {
      if (type === F.FunctionCall) {
        this.#sayError(error);
        return this.#client.sayReady(IDLE);
      }
      this.#sayError(error);
      this.#skipping = true;
    }
  }

  async #extended(type: number, body: Buffer): Promise<void> {
    switch (type) {
      case F.Parse:
        return this.#statements.parse(body);
      case F.Bind:
        return this.#statements.bind(body);
      case F.Describe:
        return this.#statements.describe(body);
      case F.Execute:
        return this.#execute(body);
      case F.Close:
        return this.#statements.close(body);
      case F.Flush:
        return this.#client.flush();
      case F.FunctionCall:
        throw new PgfigError('UNKNOWN_COMMAND', 'the console has no functions');
    }
    // Copy messages: ignored, as Postgres does where no COPY runs.
  }

  async #query(body: Buffer): Promise<void> {
    this.#statements.forgetUnnamed();
    try {
      const { queryStart, queryEnd } = decodeQuery(body, 0, body.length);
      const commands = this.#traffic.console.read(body.toString('utf8', queryStart, queryEnd));
      if (commands.length === 0) this.#client.say(emptyQueryResponse);
      for (const command of commands) {
        const { rows } = await this.#run(command);
        if (command.columns !== null) {
          this.#client.say(describeColumns(command.columns));
          await this.#sayRows(command.columns, rows, []);
        }
        if (this.#closed) return;
        this.#client.say(commandComplete(tagOf(command)));
      }
    } catch (error) {
      this.#sayError(error);
    }
    this.#client.sayReady(IDLE);
  }

  async #execute(body: Buffer): Promise<void> {
    const work = this.#statements.execute(body);
    if (work === null) return;
    const { portal, command, maxRows } = work;
    portal.answer ??= await this.#run(command);
    const { rows } = portal.answer;
    const end = maxRows === 0 ? rows.length : Math.min(rows.length, portal.at + maxRows);
    const lot = rows.slice(portal.at, end);
    portal.at = end;
    if (command.columns !== null) await this.#sayRows(command.columns, lot, portal.formats);
    // As in Postgres: whoever gets as many rows as it asked for has to ask again to learn that these were all.
    const suspended = maxRows > 0 && lot.length === maxRows;
    this.#client.say(suspended ? portalSuspended : commandComplete(tagOf(command)));
  }

  /** Runs a command and passes on its notices. */
  async #run(command: ConsoleCommand): Promise<ConsoleAnswer> {
    // What was answered before must not wait for this one.
    this.#client.flush();
    const answer = await new Promise<ConsoleAnswer>((resolve, reject) => {
      this.#cancel = reject;
      this.#traffic.console.run(this.info.user, command).then(resolve, reject);
    }).finally(() => {
      this.#cancel = null;
    });
    for (const { severity, message, detail } of answer.notices) {
      const code = severity === 'WARNING' ? '01000' : '00000';
      this.#client.say(noticeResponse({ severity, code, message, detail }));
    }
    return answer;
  }

  async #sayRows(
    columns: readonly ConsoleColumn[],
    rows: readonly (readonly ConsoleValue[])[],
    formats: readonly number[],
  ): Promise<void> {
    for (let at = 0; at < rows.length && !this.#closed; at += LOT) {
      if (at > 0) await this.#room();
      for (const row of rows.slice(at, at + LOT)) this.#client.say(consoleRow(columns, row, formats));
    }
  }

  /** Sends what was said, lets others have their turn, and waits until the client has taken it. */
  async #room(): Promise<void> {
    this.#client.flush();
    await new Promise<void>((resolve) => {
      if (this.#closed || !this.#client.channel.congested) setImmediate(resolve);
      else this.#onRoom = resolve;
    });
    this.#onRoom = null;
  }

  /** @throws PgfigError one that ends the session */
  #sayError(raised: unknown): void {
    if (this.#closed) return;
    const error = this.#known(raised);
    if (error.severity === 'FATAL') throw error;
    this.#traffic.events.refused(this.info, error);
    this.#client.sayError(error);
  }

  #end(raised: unknown): void {
    const error = this.#known(raised);
    this.close(error.message, error);
  }

  #known(raised: unknown): PgfigError {
    if (raised instanceof PgfigError) return raised;
    this.#traffic.events.warning('unexpected error in the console', { error: String(raised) });
    return new PgfigError('INTERNAL', `unexpected error: ${raised instanceof Error ? raised.message : String(raised)}`);
  }
}

/** The command tag: the first word. */
const tagOf = ({ name }: ConsoleCommand): string => name.split(' ', 1)[0] ?? name;
