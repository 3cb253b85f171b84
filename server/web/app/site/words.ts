// The languages of the site's page.

import type { Shape } from "../lib/language";
import { language } from "../lib/language";
import { en } from "./en";

export type Words = Shape<typeof en>;

const all: Partial<Record<string, Words>> = { en };

export function words(): Words {
  return all[language()] ?? en;
}
