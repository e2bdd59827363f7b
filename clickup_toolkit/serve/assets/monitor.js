// Shows the export under way without reloading, and fetches the list of runs anew when one begins or ends.
"use strict";

(() => {
  const box = document.getElementById("doing");
  const part = (name) => box.querySelector(`[data-part=${name}]`);
  const worker = new Worker(box.dataset.worker);
  const heading = document.title;

  function show(told) {
    box.dataset.state = told.state;
    part("title").textContent = told.title;
    part("lost").textContent = "";
    part("going").hidden = told.step < 0;
    for (const place of box.querySelectorAll("[data-field]")) {
      const text = told.fields[place.dataset.field] ?? "";
      if (place.textContent !== text) place.textContent = text;
      (place.closest(".figure") ?? place).hidden = !text;
    }
    box.querySelector(".figure.waits")?.classList.toggle("warn", !["", "no", undefined].includes(told.fields.waiting));
    showProgress(told);
    const button = part("export");
    if (button) button.disabled = told.state !== "idle";
    if (part("said").textContent !== told.said) part("said").textContent = told.said;
    document.dispatchEvent(new CustomEvent("version", { detail: told.version }));
    if (told.newest === box.dataset.newest) return;
    worker.postMessage({ page: location.href });
  }

  function showProgress({ progress, step, fields, state }) {
    const bar = part("progress");
    if (progress === null) bar.removeAttribute("value");
    else bar.value = progress;
    [...part("steps").children].forEach((item, at) => {
      item.classList.toggle("over", at < step);
      if (at === step) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    const share = progress === null ? "" : `${Math.floor(progress * 100)} % `;
    document.title = state === "idle" ? heading : `${share}${fields.stage} · ${heading}`;
  }

  function renew(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const theirs = fresh.getElementById("doing");
    if (!theirs) return;
    document.getElementById("past").replaceWith(fresh.getElementById("past"));
    box.dataset.newest = theirs.dataset.newest;
  }

  worker.onmessage = ({ data }) => {
    if (data.told) show(data.told);
    else if (data.page) renew(data.page);
    else if (data.lost) part("lost").textContent = "The server does not answer. It is asked again in a moment.";
    else if (data.out) part("lost").textContent = "You are signed out. Reload the page to sign in again.";
  };

  const look = () => worker.postMessage({ url: box.dataset.url, seconds: document.hidden ? 0 : 1 });
  document.addEventListener("visibilitychange", look);
  look();
})();
