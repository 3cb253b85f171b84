// What the site's page signs, in hexadecimal, to be compared with the ledger's
// own encodings.

import { hex, unhex } from "../app/device/bytes";
import { commitReason, commitTable, countersignBody, envelope, hashOf, registration, removeBody, Signer, type Kind, type Line, type Statement } from "../app/site/sign";
import { readBackup, readSeed, Safe } from "../app/site/safe";

interface Order { ledger: string; kind: number; stream: string; now: number; body: string; unique: string; seeds: string[] }

export async function signed(o: Order): Promise<{ envelope: string; hash: string; key: string }> {
  const [signer, ...cosigners] = await Promise.all(o.seeds.map((s) => Signer.of(unhex(s, 32, "seed"))));
  const made = await envelope({
    ledger: o.ledger, kind: o.kind as Kind, stream: o.stream, now: o.now, body: unhex(o.body, o.body.length / 2, "body"), unique: unhex(o.unique, 16, "unique"),
  }, signer!, cosigners);
  return { envelope: hex(made), hash: await hashOf(made), key: hex(signer!.keyID) };
}

export async function register(ledger: string, name: string, seed: string): Promise<{ key: string; possession: string }> {
  return registration(ledger, name, await Signer.of(unhex(seed, 32, "seed")));
}

export function remove(leaf: string, leaving: 2 | 3, statements: Statement[], reason: string): string {
  return hex(removeBody(leaf, leaving, statements, reason));
}

export function countersign(site: string, epoch: number, table: string, total: number, day: number): string {
  return hex(countersignBody(site, epoch, table, total, day));
}

export function reason(salt: string, text: string): Promise<string> {
  return commitReason(unhex(salt, 32, "salt"), text);
}

export function table(salt: string, lines: Line[]): Promise<string> {
  return commitTable(unhex(salt, 32, "salt"), lines);
}

/** The kinds of mistake that each of these is. */
export async function refused(): Promise<Record<string, string>> {
  const safe = await Safe.create("One", new Uint8Array(32), "a passphrase of one", { secret: "07-0012" });
  const file = readBackup(safe.backup());
  const last = JSON.parse(safe.backup()) as typeof file;
  last.body.data = last.body.data.slice(0, -8) + "AAAAAAA=";
  const other = new Uint8Array(32).fill(1);
  const tried: Record<string, () => unknown> = {
    "wrong passphrase": () => Safe.open(file, file.people[0]!.key, "another passphrase"),
    "unknown person": () => Safe.open(file, "00".repeat(32), "a passphrase of one"),
    "changed tables": () => Safe.open(last, file.people[0]!.key, "a passphrase of one"),
    "same key again": () => safe.add("Two", new Uint8Array(32), "a passphrase of two"),
    "short passphrase": () => safe.add("Two", other, "short"),
    "no JSON": () => readBackup("{"),
    "another format": () => readBackup(safe.backup().replace("trialith-site/1", "trialith-site/2")),
    "nobody in it": () => readBackup(JSON.stringify({ ...file, people: [] })),
    "short key": () => readSeed("00"),
    "no hex": () => readSeed("g".repeat(64)),
    "right passphrase": async () => { throw new Error((await Safe.open<{ secret: string }>(file, file.people[0]!.key, "a passphrase of one")).tables.secret); },
    "key in capitals": () => { throw new Error(String(readSeed(" " + "AB".repeat(32) + "\n").length)); },
  };
  const out: Record<string, string> = {};
  for (const [name, f] of Object.entries(tried)) {
    try {
      await f();
      out[name] = "taken";
    } catch (e) {
      out[name] = e instanceof Error ? e.message : String(e);
    }
  }
  return out;
}
