// The work in this browser between visits, in IndexedDB: the photo, and the steps of the history.
// A kiosk keeps nothing, so that no visitor sees what another one left.
const KEPT_DAYS = 30;

const store = {
  async database() {
    const request = indexedDB.open("colorizer", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("work");
    return settled(request);
  },

  async use(mode, action) {
    const database = await this.database();
    try {
      const work = database.transaction("work", mode).objectStore("work");
      return await settled(action(work));
    } finally {
      database.close();
    }
  },

  // The file, the steps, the number of the current one, and other pictures whose colors they take,
  // as base64 by their SHA-256; null if there are none.
  async load() {
    if (kioskSeconds) await this.clear();
    const photo = await this.use("readonly", work => work.get("photo"));
    const history = await this.use("readonly", work => work.get("history"));
    if (!photo || !history) return null;
    if (Date.now() - history.time > KEPT_DAYS * 864e5) {
      await this.clear();
      return null;
    }
    return {file: new File([photo.bytes], photo.name, {type: photo.type}), ...history};
  },

  async savePhoto(file) {
    if (kioskSeconds) return;
    const {name, type} = file;
    await this.use("readwrite", work => work.put({bytes: file, name, type}, "photo"));
  },

  async saveHistory(steps, now, sources) {
    if (kioskSeconds) return;
    const history = {steps, now, sources, time: Date.now()};
    await this.use("readwrite", work => work.put(history, "history"));
  },

  clear() { return this.use("readwrite", work => work.clear()); },
};

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
