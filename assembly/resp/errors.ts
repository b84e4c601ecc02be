/**
 * Error replies that several command families share, with Redis' exact words.
 *
 * A text that one command alone uses stays with that command. The forms with a name take it in
 * lower case, as Redis prints the full name of a command whatever case the client wrote.
 */
import { errorBegin, errorEnd, errorText, replyError } from './reply';

/** The key holds another type than the command works on. */
export function replyWrongType(): void {
  replyError('WRONGTYPE Operation against a key holding the wrong kind of value');
}

export function replySyntaxError(): void {
  replyError('ERR syntax error');
}

export function replyNotInteger(): void {
  replyError('ERR value is not an integer or out of range');
}

export function replyNotFloat(): void {
  replyError('ERR value is not a valid float');
}

/** A number was fine but lies outside what the command takes. */
export function replyOutOfRange(): void {
  replyError('ERR value is out of range');
}

export function replyMustBePositive(): void {
  replyError('ERR value is out of range, must be positive');
}

export function replyIndexOutOfRange(): void {
  replyError('ERR index out of range');
}

export function replyNoSuchKey(): void {
  replyError('ERR no such key');
}

export const OOM: string = "OOM command not allowed when used memory > 'maxmemory'.";

/** Memory ran out while a command worked; it must have changed nothing. */
export function replyOom(): void {
  replyError(OOM);
}

/** A string would become longer than proto-max-bulk-len. */
export function replyStringTooLong(): void {
  replyError('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
}

/** An expiry that is not positive or does not fit; `name` is the command's in lower case. */
export function replyInvalidExpire(name: string): void {
  errorBegin("ERR invalid expire time in '");
  errorText(name);
  errorText("' command");
  errorEnd();
}

/** For commands that count their arguments themselves (MSET); `name` in lower case. */
export function replyWrongArgs(name: string): void {
  errorBegin("ERR wrong number of arguments for '");
  errorText(name);
  errorText("' command");
  errorEnd();
}
