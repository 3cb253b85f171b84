// The languages of the site's page.

import { language, type Language, type Shape } from "../lib/language";
import { ar } from "./ar";
import { en } from "./en";
import { es } from "./es";

export type Words = Shape<typeof en>;

const all: Record<Language, Words> = { en, es, ar };

export function words(): Words {
  return all[language()];
}
