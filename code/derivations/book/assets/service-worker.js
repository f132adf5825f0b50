/* The service worker of the book. Above this text a build writes:
 *
 *   BUILD   a checksum of everything below
 *   FILES   the files that pages show, each with its checksum
 *   KEPT    files for Python in the browser, kept once the reader has asked for them
 *
 * One cache a build. It is filled before the worker takes over, and never changed afterwards. A page of this build is
 * answered from it alone, so files of two builds never meet. What is not in the lists is left to the network.
 */
'use strict';

const ROOT = new URL('.', self.location).href;
const MINE = `derivations ${ROOT} `;    // caches belong to the whole host, on which other sites may live
const CACHE = MINE + BUILD;
const PYTHON = `${MINE}python`;
const LIST = `${ROOT}?files`;           // FILES of a cache; written last, so a cache that has it is whole
const AT_ONCE = 4;                      // requests while the cache is filled: the page goes first

// ---------------------------------------------------------------- fill the cache

async function checksum(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).slice(0, 12);
  return btoa(String.fromCharCode(...hash)).replaceAll('+', '-').replaceAll('/', '_');
}

/** Caches of other builds, with their lists. */
async function others() {
  const names = (await caches.keys()).filter((name) => name.startsWith(MINE) && name !== CACHE && name !== PYTHON);
  const found = await Promise.all(names.map(async (name) => {
    const cache = await caches.open(name);
    const list = await cache.match(LIST);
    return { cache, files: list ? await list.json() : {} };
  }));
  return found;
}

async function fetchFile(path) {
  // Asks whether the browser's own copy is still right, and takes it if it is.
  const response = await fetch(ROOT + path, { cache: 'no-cache', priority: 'low' });
  const bytes = await response.arrayBuffer();
  // While a new build is being uploaded, a server has some files of each.
  if (!response.ok || await checksum(bytes) !== FILES[path]) throw new Error(`${path} is not of build ${BUILD}`);
  // A new answer: one that was redirected may not answer a navigation.
  return new Response(bytes, { headers: { 'Content-Type': response.headers.get('Content-Type') ?? '' } });
}

async function copyOrFetch(path, older) {
  for (const { cache, files } of older) {
    const copy = files[path] === FILES[path] && await cache.match(ROOT + path);
    if (copy) return copy;
  }
  return fetchFile(path);
}

async function fill(cache) {
  const older = await others();
  const paths = Object.keys(FILES);
  const work = async () => {
    while (paths.length) {
      const path = paths.shift();
      await cache.put(ROOT + path, await copyOrFetch(path, older));
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    paths.length = 0;       // the other three stop as well
    throw error;
  }
  await cache.put(LIST, new Response(JSON.stringify(FILES)));
}

/** All or nothing. The next visit of a page tries again; the browser's own copies make that cheap. */
async function install() {
  // The page asks a reader who saves data before a first install (offline.js); an update comes by itself.
  if (self.registration.active && navigator.connection?.saveData) throw new Error('the reader saves data');
  const cache = await caches.open(CACHE);
  if (await cache.match(LIST)) return;      // after a step back to this build
  try {
    await fill(cache);
  } catch (error) {
    await caches.delete(CACHE);
    throw error;
  }
}

async function removeOld() {
  const old = (await caches.keys()).filter((name) => name.startsWith(MINE) && name !== CACHE && name !== PYTHON);
  await Promise.all(old.map((name) => caches.delete(name)));
  const python = await caches.open(PYTHON);
  for (const request of await python.keys()) {
    if (!KEPT.includes(pathOf(request.url))) await python.delete(request);
  }
}

// ---------------------------------------------------------------- answer

function pathOf(address) {
  const { origin, pathname } = new URL(address);
  return (origin + pathname).slice(ROOT.length);
}

/** The file that an address means: queries and fragments belong to the page. */
function fileOf(address) {
  const path = pathOf(address);
  return [path, `${path}index.html`, `${path}.html`].find((name) => Object.hasOwn(FILES, name));
}

/** Whether a request comes from a page that is not of this build: a new page of the site, say, which has new files. */
async function fromElsewhere(id) {
  const client = id && await self.clients.get(id);
  return Boolean(client) && client.type === 'window' && !fileOf(client.url);
}

async function answer(request, file, id) {
  const cache = await caches.open(CACHE);
  if (request.mode !== 'navigate' && await fromElsewhere(id)) {
    try {
      return await fetch(request);
    } catch {
      return await cache.match(ROOT + file) ?? Response.error();      // of the page for unknown addresses
    }
  }
  return await cache.match(ROOT + file) ?? fetch(request);
}

async function answerUnknown(request) {
  try {
    return await fetch(request);
  } catch {
    const cache = await caches.open(CACHE);
    const page = await cache.match(`${ROOT}404.html`);
    if (!page) return Response.error();
    const text = (await page.text()).replace('<head>', `<head><base href="${ROOT}">`);
    return new Response(text, { status: 404, headers: { 'Content-Type': 'text/html; charset=utf-8' } });
  }
}

/** Files of Python: their names tell their content, so the first answer stays right. */
async function answerPython(event) {
  const cache = await caches.open(PYTHON);
  const kept = await cache.match(event.request);
  if (kept) return kept;
  const response = await fetch(event.request);
  if (response.ok) {
    const copy = response.clone();
    // With a full disk, Python runs all the same; it is only not kept.
    event.waitUntil(cache.put(event.request, copy).catch(() => {}));
  }
  return response;
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(removeOld()));
self.addEventListener('message', ({ data }) => {
  if (data === 'take over') self.skipWaiting();
});
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(ROOT)) return;
  const path = pathOf(request.url);
  const file = fileOf(request.url);
  if (file) event.respondWith(answer(request, file, event.clientId));
  else if (KEPT.includes(path)) event.respondWith(answerPython(event));
  else if (request.mode === 'navigate' && /(^|\/)([^.]*|[^/]*\.html)$/.test(path)) event.respondWith(answerUnknown(request));
});
