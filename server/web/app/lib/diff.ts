// Which words two texts do not share, to be marked side by side. The same
// comparison as on the public pages (a longest common subsequence).

export interface Run { text: string; changed: boolean }

// Past this many comparisons texts are shown as wholly different: nobody's
// protocol may keep a phone busy.
const most = 1 << 20;

export function compare(before: string, after: string): { before: Run[]; after: Run[] } {
  const a = before.split(/\s+/).filter(Boolean), b = after.split(/\s+/).filter(Boolean);
  if (a.length * b.length > most) return { before: whole(a), after: whole(b) };
  const same = lengths(a, b);
  const old: Run[] = [], now: Run[] = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      grow(old, a[i++], false);
      grow(now, b[j++], false);
    } else if (j === b.length || (i < a.length && same[i + 1][j] >= same[i][j + 1])) {
      grow(old, a[i++], true);
    } else {
      grow(now, b[j++], true);
    }
  }
  return { before: old, after: now };
}

/** Lengths of the longest common subsequences of the tails a[i:] and b[j:]. */
function lengths(a: string[], b: string[]): Uint32Array[] {
  const l = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      l[i][j] = a[i] === b[j] ? l[i + 1][j + 1] + 1 : Math.max(l[i + 1][j], l[i][j + 1]);
    }
  }
  return l;
}

function whole(words: string[]): Run[] {
  return words.length ? [{ text: words.join(" "), changed: true }] : [];
}

function grow(runs: Run[], word: string, changed: boolean): void {
  const last = runs[runs.length - 1];
  if (last && last.changed === changed) last.text += " " + word;
  else runs.push({ text: word, changed });
}
