/**
 * Writing to a socket's handle itself, past node's streams: a stream's write costs a state machine, a request object
 * and a tick for every chunk, which at tens of thousands of small chunks a second is most of a proxy's own time
 * (docs/decisions/0003). Not public API of Node, hence here alone, with a canary test; where it is missing, channels
 * use `socket.write`.
 */
export interface DirectHandle {
  /** 0, or a negative errno. The request is touched only when the write could not be done at once. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
}

export interface WriteRequest {
  handle?: DirectHandle;
  /** Keeps the memory alive that libuv points into. */
  buffer?: Uint8Array;
  oncomplete?: (status: number) => void;
}

interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

function load(): StreamWrap | null {
  const { binding } = process as unknown as { binding?: (name: string) => Partial<StreamWrap> };
  try {
    const wrap = binding?.('stream_wrap');
    if (typeof wrap?.WriteWrap !== 'function' || wrap.streamBaseState === undefined) return null;
    return typeof wrap.kLastWriteWasAsync === 'number' ? (wrap as StreamWrap) : null;
  } catch {
    return null;
  }
}

const wrap = load();

/** The handle of a plain socket, where it can be written to directly; else null. */
export function directHandle(socket: object): DirectHandle | null {
  if (wrap === null || process.env.PGFIG_STREAM_WRITES === '1') return null;
  const { _handle: handle } = socket as { _handle?: Partial<DirectHandle> | null };
  return typeof handle?.writeBuffer === 'function' ? (handle as DirectHandle) : null;
}

/** Memory of a worker that small writes are copied into: free again as soon as the kernel has taken them. */
const SCRATCH_SIZE = 64 * 1024;
const VIEWS = 2048;
let scratch = Buffer.allocUnsafeSlow(SCRATCH_SIZE);
let views: (Buffer | undefined)[] = new Array(VIEWS + 1);
let spare: WriteRequest | null = wrap === null ? null : new wrap.WriteWrap();

/** A copy of `source[start, end)`, at most 64 KiB, in memory that is valid until the next call. */
function scratchCopy(source: Buffer, start: number, end: number): Buffer {
  const length = end - start;
  let view: Buffer | undefined;
  if (length <= VIEWS) {
    view = views[length];
    if (view === undefined) {
      view = scratch.subarray(0, length);
      views[length] = view;
    }
  } else view = scratch.subarray(0, length);
  if (length > 128) source.copy(scratch, 0, start, end);
  else for (let to = 0, from = start; from < end; to++, from++) scratch[to] = source[from] as number;
  return view;
}

/** The kernel did not take all of the last write: libuv points into the scratch memory, which it keeps. */
function retireScratch(): void {
  scratch = Buffer.allocUnsafeSlow(SCRATCH_SIZE);
  views = new Array(VIEWS + 1);
}

/**
 * Writes a copy of `source[start, end)`.
 * @returns bytes that are still to leave (0: all gone), or a negative errno; `onWritten` is called when they have left
 */
export function writeDirectCopy(
  handle: DirectHandle,
  source: Buffer,
  start: number,
  end: number,
  onWritten: (status: number, bytes: number) => void,
): number {
  if (end - start > SCRATCH_SIZE) return writeDirect(handle, Buffer.from(source.subarray(start, end)), onWritten);
  const left = writeDirect(handle, scratchCopy(source, start, end), onWritten);
  if (left > 0) retireScratch();
  return left;
}

/** The same for bytes that never change. */
export function writeDirect(
  handle: DirectHandle,
  bytes: Uint8Array,
  onWritten: (status: number, bytes: number) => void,
): number {
  if (wrap === null || spare === null) return -1;
  const request = spare;
  const status = handle.writeBuffer(request, bytes);
  if (status !== 0) return status;
  if (wrap.streamBaseState[wrap.kLastWriteWasAsync] === 0) return 0;
  spare = new wrap.WriteWrap();
  const { length } = bytes;
  request.handle = handle;
  request.buffer = bytes;
  request.oncomplete = (done) => onWritten(done, length);
  return length;
}
