// Crockford's base 32: letters of which none is mistaken for another when it is
// read aloud or copied by hand.

const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** letterOf is the letter of a value from 0 to 31. */
export function letterOf(value: number): string {
  return letters[value]!;
}

/** valueOf is the value of a letter as tidy leaves it; −1: it is none. */
export function valueOf(letter: string): number {
  return letters.indexOf(letter);
}

/** tidy reads letters as people write them: in any case, in groups, with O for 0 and I or L for 1. */
export function tidy(text: string): string {
  return text.toUpperCase().replace(/[\s\-–—.]/gu, "").replaceAll("O", "0").replace(/[IL]/g, "1");
}

/** toLetters writes bytes as letters; the last is filled up with zero bits. */
export function toLetters(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let held = 0;
  for (const b of bytes) {
    held = (held << 8) | b;
    for (bits += 8; bits >= 5; bits -= 5) {
      out += letterOf((held >> (bits - 5)) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? out + letterOf((held << (5 - bits)) & 31) : out;
}

/** fromLetters reads what toLetters wrote; undefined: a letter is none, or the bits that fill up are not zero. */
export function fromLetters(text: string): Uint8Array<ArrayBuffer> | undefined {
  const out = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of text) {
    const v = valueOf(letter);
    if (v < 0) {
      return undefined;
    }
    held = (held << 5) | v;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  return held === 0 && bits < 5 ? out : undefined;
}
