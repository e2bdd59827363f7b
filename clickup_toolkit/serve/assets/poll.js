// Asks for JSON again and again, in a worker: there, a request that fails while the server restarts is no error in
// the page's console. Waits twice as long after each failure, a minute at most.
//
// Is told {url, seconds} to begin, {seconds: 0} to rest, {page: address} to fetch a page once. Tells {told}, {lost},
// {out} when the visitor has to sign in again, and {page} with the text.
"use strict";

let url = "";
let seconds = 0;
let timer = 0;
let failures = 0;
let asking = false;

self.onmessage = async ({ data }) => {
  if (data.page) {
    await fetchPage(data.page);
    return;
  }
  clearTimeout(timer);
  url = data.url ?? url;
  seconds = data.seconds;
  if (seconds && !asking) await ask();
};

async function ask() {
  asking = true;
  try {
    const answer = await get(url);
    if (answer.type === "opaqueredirect" || [401, 403].includes(answer.status)) {
      seconds = 0;
      postMessage({ out: true });
    } else {
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.error);
      failures = 0;
      if (seconds && told.again) seconds = told.again;
      postMessage({ told });
    }
  } catch {
    failures += 1;
    postMessage({ lost: true });
  }
  asking = false;
  clearTimeout(timer);
  if (seconds) timer = setTimeout(ask, 1000 * Math.min(60, seconds * 2 ** Math.min(failures, 6)));
}

async function fetchPage(address) {
  try {
    const answer = await get(address);
    if (answer.ok) postMessage({ page: await answer.text() });
  } catch {
    // the next answer says again that there is something new
  }
}

function get(address) {
  return fetch(address, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(20_000) });
}
