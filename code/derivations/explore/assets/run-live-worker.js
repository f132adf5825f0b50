/* Run live, the worker: starts Pyodide, installs the course's package and runs what the page asks for.
 *
 * In:  {kind: 'boot', lock, ...config}, once; then {id, kind: 'cell' | 'draw' | 'call', text}, one at a time.
 * Out: {kind: 'progress', text, bytes}, {kind: 'ready', seconds, bytes, memory}, {kind: 'failed', message},
 *      {kind: 'answer', id, text, bytes, memory}, {kind: 'fatal', id, message}.
 */
'use strict';

const PACKAGES = ['numpy', 'matplotlib'];
const PLACE = '/lib/python3.12/site-packages';
const LIBRARIES = '/usr/lib';
const PAUSE = 150;          // ms between two messages about bytes
const WITH_SCIPY = ['openblas', 'scipy'];
const SIZES = { openblas: 6117592, scipy: 13477451 };     // Pyodide's lock file does not tell sizes

let python = null;
let room = null;            // derivations.explore.browser
let bytes = 0;
let told = 0;
let words = '';

function tell(text, always = true) {
  words = text;
  const now = performance.now();
  if (!always && now - told < PAUSE) return;
  told = now;
  postMessage({ kind: 'progress', text, bytes });
}

// ---------------------------------------------------------------- fetching

const plainFetch = self.fetch;

/** Pyodide's own downloads go through here too, so that the page can show how many bytes have come. */
self.fetch = async (...request) => {
  const response = await plainFetch(...request);
  if (!response.ok || !response.body) return response;
  const counter = new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      tell(words, false);
      controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
};

/** Ask for a file and wait: an import inside Python cannot wait for a promise. */
function fetchNow(address) {
  const request = new XMLHttpRequest();
  request.open('GET', address, false);
  request.responseType = 'arraybuffer';
  request.send();
  if (request.status !== 200) throw new Error(`${address}: ${request.status}`);
  bytes += request.response.byteLength;
  return request.response;
}

async function fetchFile(address, sha256) {
  const digits = sha256.match(/../g).map((pair) => parseInt(pair, 16));
  const response = await self.fetch(address, { integrity: `sha256-${btoa(String.fromCharCode(...digits))}` });
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.arrayBuffer();
}

// ---------------------------------------------------------------- packages

/** Where each file of a package on demand lies, and what Python must know of it. */
async function onDemand({ base, site, wheels }, installed) {
  const lock = await (await self.fetch(`${base}pyodide-lock.json`)).json();
  const addresses = {};
  const packages = {
    scipy: WITH_SCIPY.map((name) => {
      const { file_name: file, sha256 } = lock.packages[name];
      addresses[file] = base + file;
      return { name: file, sha256, size: SIZES[name] };
    }),
  };
  for (const [name, { file, sha256, size, needs }] of Object.entries(wheels)) {
    addresses[file] = site + file;
    packages[name] = [{ name: file, sha256, size }];
    for (const need of needs) packages[name].unshift({ name: wheels[need].file, ...wheels[need] });
  }
  for (const name of installed) delete packages[name];
  return { addresses, packages };
}

function install(file, data) {
  const library = file.startsWith('openblas');
  python.unpackArchive(data, library ? 'zip' : 'wheel', { extractDir: library ? LIBRARIES : PLACE });
  if (library) openLibrary('libopenblas.so');
}

/** Load a library into the whole program. Pyodide offers this only as a promise, which an import cannot wait for. */
function openLibrary(name) {
  const fs = { findObject: () => true, readFile: () => python.FS.readFile(`${LIBRARIES}/${name}`) };
  python._module.loadDynamicLibrary(name, { global: true, nodelete: true, allowUndefined: true, fs });
}

// ---------------------------------------------------------------- boot

async function boot(config) {
  const { base, site, wheels, first } = config;
  tell('Fetching Python');
  importScripts(`${base}pyodide.js`);
  const files = Promise.all(first.map((name) => fetchFile(site + wheels[name].file, wheels[name].sha256)));
  files.catch(() => {});    // it is awaited below; until then its failure is no uncaught one
  python = await loadPyodide({
    indexURL: base, packages: PACKAGES, env: { MPLBACKEND: 'agg', OMP_NUM_THREADS: '1' },
    stdin: () => null,      // a worker cannot ask the reader: input() fails as at the end of a file
    stderr: (text) => console.debug(text),      // what packages say while they load; what a cell says is shown below it
  });
  tell('Installing the packages');
  for (const data of await files) python.unpackArchive(data, 'wheel', { extractDir: PLACE });
  const { addresses, packages } = await onDemand(config, first);
  tell('Starting NumPy and Matplotlib');
  // A wheel that could not be loaded is no error for Pyodide: only the import tells.
  python.runPython('import numpy, matplotlib, derivations.explore.browser');
  room = python.pyimport('derivations.explore.browser');
  self.fetchForPython = (file, text) => {
    tell(text[0].toUpperCase() + text.slice(1));
    return python.toPy(new Uint8Array(fetchNow(addresses[file])));
  };
  self.installForPython = (file, data) => install(file, data.toJs());
  python.globals.set('packages_in_json', JSON.stringify(packages));
  python.runPython(`
import json, sys
from js import fetchForPython, installForPython
from derivations.explore.browser import OnDemand
fetch = lambda *file: fetchForPython(*file).tobytes()
sys.meta_path.append(OnDemand(json.loads(packages_in_json), fetch, installForPython))
`);
  room.start();
}

// ---------------------------------------------------------------- requests

const ASK = { cell: 'run_cell', draw: 'draw', call: 'call' };

const memory = () => python._module.HEAP8.length;

self.onmessage = async ({ data }) => {
  if (data.kind === 'boot') {
    const began = performance.now();
    // Held as long as this worker lives: the page learns from it when the browser has ended the worker.
    navigator.locks?.request(data.lock, () => new Promise(() => {}));
    try {
      await boot(data);
      postMessage({ kind: 'ready', seconds: (performance.now() - began) / 1000, bytes, memory: memory() });
    } catch (error) {
      postMessage({ kind: 'failed', message: String(error?.message ?? error) });
    }
    return;
  }
  try {
    postMessage({ kind: 'answer', id: data.id, text: room[ASK[data.kind]](data.text), bytes, memory: memory() });
  } catch (error) {     // Python's own exceptions never come here: the interpreter itself has broken
    postMessage({ kind: 'fatal', id: data.id, message: String(error?.message ?? error) });
  }
};
