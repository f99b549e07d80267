// Small values that are kept between visits, where the browser allows it: with blocked cookies, or in
// a frame of another site, reading the storage throws.

/** The kept value; null if there is none. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keep a value. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // without storage, the next visit starts with the default
  }
}
