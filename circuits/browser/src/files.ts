/**
 * The prover's files: downloaded once, compared with their pinned SHA-256 before
 * use. Loading checks no point of the key, so a file from elsewhere could give the
 * secrets away; the pins stand in the page's script.
 */
import { ProverError } from "./error";

/** A file with where it is and what it must be. */
export interface Pinned {
  readonly url: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Refuses bytes other than the pinned ones. */
export async function check(file: Pinned, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  if (!globalThis.crypto?.subtle) {
    throw new ProverError("unsupported", "the browser compares files only on https pages and on this computer's own address; open the page there");
  }
  const got = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  if (got !== file.sha256) {
    throw new ProverError("changed", `${file.url}: its SHA-256 is ${got}, and ${file.sha256} is pinned; load the page again, and tell the study if it happens again`);
  }
}

/**
 * Downloads a pinned file; got is told the bytes of each piece. A file that is not the
 * pinned one is asked for once more, past the browser's cache: it keeps files for a
 * year, and one that was spoilt there must not lock its owner out.
 */
export async function download(file: Pinned, got: (bytes: number) => void = () => {}): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await checked(file, "default", got);
  } catch (e) {
    if (!(e instanceof ProverError) || e.code !== "changed") throw e;
    return checked(file, "reload", () => {});
  }
}

async function checked(file: Pinned, cache: RequestCache, got: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await receive(file, cache, got);
  await check(file, bytes);
  return bytes;
}

async function receive(file: Pinned, cache: RequestCache, got: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const failed = (why: unknown): ProverError =>
    new ProverError("download", `${file.url}: ${why instanceof Error ? why.message : String(why)}; try again when you are online`);
  let response: Response;
  try {
    response = await fetch(file.url, { cache, credentials: "omit", referrerPolicy: "no-referrer" });
  } catch (e) {
    throw failed(e);
  }
  if (!response.ok || response.body === null) throw failed(`status ${response.status}`);
  const bytes = new Uint8Array(file.bytes);
  let at = 0;
  const reader = response.body.getReader();
  for (;;) {
    const piece = await reader.read().catch((e: unknown) => {
      throw failed(e);
    });
    if (piece.done) break;
    if (at + piece.value.length > bytes.length) {
      await reader.cancel();
      throw new ProverError("changed", `${file.url}: longer than the ${file.bytes} bytes that are pinned; load the page again`);
    }
    bytes.set(piece.value, at);
    at += piece.value.length;
    got(piece.value.length);
  }
  if (at < bytes.length) throw new ProverError("changed", `${file.url}: ${at} bytes, and ${file.bytes} are pinned; load the page again`);
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
