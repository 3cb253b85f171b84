// The recovery sheet: the master secret and a check of two bytes, in 11 groups
// of 5 letters that a person can copy by hand. Whoever has it can act for the
// participant; without it a lost device is replaced by the site.

import { equal, join, type Bytes } from "./bytes";
import { fromLetters, letterOf, tidy, toLetters, valueOf } from "./crockford";
import { DeviceError } from "./error";
import { sum } from "./hash";

/** masterBytes is the length of a master secret. */
export const masterBytes = 32;

const groups = 11;
const groupLetters = 5;
const letters = groups * groupLetters;

/** SheetError says what of a sheet was not read. Group is the one to look at, from 1; 0: it is not known which. */
export class SheetError extends DeviceError {
  override name = "SheetError";

  constructor(readonly group: number, message: string) {
    super("sheet", message);
  }
}

/** encodeMaster writes a master secret in the groups of a sheet. */
export async function encodeMaster(master: Uint8Array): Promise<string[]> {
  if (master.length !== masterBytes) {
    throw new RangeError(`master secret: ${master.length} bytes, want ${masterBytes}`);
  }
  const text = toLetters(join(master, await checkOf(master)));
  return Array.from({ length: groups }, (_, i) => text.slice(i * groupLetters, (i + 1) * groupLetters));
}

/**
 * decodeMaster reads a sheet as people write it: in any case, with or without
 * groups, O for 0, I or L for 1. Where a letter is wrong it names the group, as
 * far as the check tells; it corrects nothing by itself.
 */
export async function decodeMaster(text: string): Promise<Bytes> {
  const written = tidy(text);
  const strange = [...written].findIndex((letter) => valueOf(letter) < 0);
  if (strange >= 0) {
    const group = Math.floor(strange / groupLetters) + 1;
    throw new SheetError(group, `recovery sheet: group ${group}: ${JSON.stringify([...written][strange])} is on no sheet`);
  }
  if (written.length !== letters) {
    throw wrongLength(text, written.length);
  }
  const master = await masterOf(written);
  if (!master) {
    throw await misread(written);
  }
  return master;
}

function wrongLength(text: string, got: number): SheetError {
  const parts = text.trim().split(/[\s\-–—.]+/u);
  const group = parts.length > 1 ? parts.findIndex((p) => p.length !== groupLetters) + 1 : 0;
  const where = group > 0 && group <= groups ? `group ${group}: ${parts[group - 1]!.length} letters, want ${groupLetters}` : `${got} letters, want ${letters}`;
  return new SheetError(group > groups ? 0 : group, `recovery sheet: ${where}`);
}

async function masterOf(written: string): Promise<Bytes | undefined> {
  const bytes = fromLetters(written);
  if (!bytes) {
    return undefined;
  }
  const master = bytes.slice(0, masterBytes);
  return equal(bytes.subarray(masterBytes), await checkOf(master)) ? master : undefined;
}

async function checkOf(master: Uint8Array): Promise<Bytes> {
  return (await sum("recovery", master)).slice(0, 2);
}

// misread looks for the one letter, or pair of letters in the wrong order, that
// would make the check right. The check has 16 bits, so that more than one group
// may be found; then none is named.
async function misread(written: string): Promise<SheetError> {
  const found = new Set<number>();
  for (const { at, text } of near(written)) {
    if (await masterOf(text)) {
      found.add(Math.floor(at / groupLetters) + 1);
    }
  }
  const group = found.size === 1 ? [...found][0]! : 0;
  return new SheetError(group, group > 0
    ? `recovery sheet: group ${group} has a wrong letter; compare it with the sheet`
    : "recovery sheet: more than one letter is wrong; compare all groups with the sheet");
}

function* near(written: string): Generator<{ at: number; text: string }> {
  for (let at = 0; at < letters; at++) {
    for (let v = 0; v < 32; v++) {
      if (letterOf(v) !== written[at]) {
        yield { at, text: written.slice(0, at) + letterOf(v) + written.slice(at + 1) };
      }
    }
    if (at > 0 && written[at] !== written[at - 1]) {
      yield { at, text: written.slice(0, at - 1) + written[at]! + written[at - 1]! + written.slice(at + 1) };
    }
  }
}
