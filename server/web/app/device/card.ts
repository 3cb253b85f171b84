// An invitation card's code: 55 random bits and a check character. It leads a
// participant's device to its site's letters and says nothing of the
// participant; no secret of theirs is made of it.

import { hex, random, utf8, type Bytes } from "./bytes";
import { letterOf, tidy, valueOf } from "./crockford";
import { DeviceError } from "./error";
import { hkdf, pbkdf2, subtle } from "./hash";

const length = 12;

/** Code is a card's code as parseCode returns it: 12 letters without groups. */
export type Code = string;

/** newCode makes a code. */
export function newCode(): Code {
  const body = Array.from(random(length - 1), (b) => letterOf(b % 32)).join("");
  return body + checkLetter(body);
}

/** parseCode reads a code as people write it, or the end of a card's link. It fails with the place of what is wrong. */
export function parseCode(text: string): Code {
  const code = tidy(text.slice(text.indexOf("#") + 1));
  if (code.length !== length) {
    throw new DeviceError("card", `code: ${code.length} characters; a card's has ${length}`);
  }
  for (let i = 0; i < length; i++) {
    if (valueOf(code[i]!) < 0) {
      throw new DeviceError("card", `code: character ${i + 1} is none that cards use`);
    }
  }
  if (checkLetter(code.slice(0, -1)) !== code.at(-1)) {
    throw new DeviceError("card", "code: a character is wrong; compare it with the card");
  }
  return code;
}

/** formatCode writes a code in three groups: K7QM-2RTX-9PWD. */
export function formatCode(code: Code): string {
  return [code.slice(0, 4), code.slice(4, 8), code.slice(8)].join("-");
}

// checkLetter weighs places by odd numbers, so that it sees each single exchange.
function checkLetter(body: string): string {
  let sum = 0;
  for (let i = 0; i < body.length; i++) {
    sum += (2 * i + 1) * valueOf(body[i]!);
  }
  return letterOf(sum % 32);
}

// How many hashes it takes to try a code: 55 bits alone would be within reach of
// who keeps a mailbox, and sees what boxes there are.
const stretching = 1 << 16;

const known = new Map<Code, Promise<Bytes>>();

// stretched is the secret that a code stands for, worked out once.
function stretched(code: Code): Promise<Bytes> {
  const secret = known.get(code) ?? pbkdf2(utf8(code), utf8("trialith/v1/card"), stretching);
  known.set(code, secret);
  return secret;
}

/** boxOf is the card's mailbox, where the site's letters to its participant are: 32 hexadecimal digits. */
export async function boxOf(code: Code): Promise<string> {
  return hex(await hkdf(await stretched(code), utf8("trialith/v1/card/box"), 16));
}

/**
 * fromOf is what a participant's letters carry, 32 hexadecimal digits: who has not
 * seen the card cannot write in its name, though they have the site's public key,
 * know the study code, or keep the mailbox.
 */
export async function fromOf(code: Code): Promise<string> {
  return hex(await hkdf(await stretched(code), utf8("trialith/v1/card/from"), 16));
}

/** keyOf is the key that letters in the card's mailbox are sealed with. */
export async function keyOf(code: Code): Promise<CryptoKey> {
  const raw: Bytes = await hkdf(await stretched(code), utf8("trialith/v1/card/key"), 32);
  return subtle().importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}
