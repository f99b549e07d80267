// The texts: those of the page that a server runs, and in texts/ those that only this page has.

import { page as dePage, photo as dePhoto, script as deViews }
  from "../../../colorizer/web/texts/de.json";
import { page as enPage, photo as enPhoto, script as enViews }
  from "../../../colorizer/web/texts/en.json";
import { page as esPage, photo as esPhoto, script as esViews }
  from "../../../colorizer/web/texts/es.json";
import { recall, remember } from "./storage";
import de from "../texts/de.json";
import en from "../texts/en.json";
import es from "../texts/es.json";

const TEXTS = {
  de: { ...de, photo: dePhoto, views: deViews, intro: dePage.intro },
  en: { ...en, photo: enPhoto, views: enViews, intro: enPage.intro },
  es: { ...es, photo: esPhoto, views: esViews, intro: esPage.intro },
};

export type Language = keyof typeof TEXTS;
export type Texts = (typeof TEXTS)["en"];
export const LANGUAGES: Record<Language, string> = { en: "English", de: "Deutsch", es: "Español" };

/** The visitor's language, as chosen before or as the browser asks for; else English. */
export function preferredLanguage(): Language {
  const wanted = [recall("language"), ...navigator.languages];
  const known = wanted.map((name) => name?.slice(0, 2)).find((name) => name && name in TEXTS);
  return (known ?? "en") as Language;
}

/** Keep the visitor's choice for the next visit. */
export function rememberLanguage(language: Language): void {
  remember("language", language);
}

/** The texts of a language. */
export function textsIn(language: Language): Texts {
  return TEXTS[language];
}

/** Fill "{name}" in a text. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
