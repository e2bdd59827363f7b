// Keeps the age of the data true, and says when newer data have come. Asks nothing while nobody looks.
"use strict";

(() => {
  const own = document.getElementById("fresh").dataset;
  const newer = document.getElementById("newer");
  const worker = new Worker(own.worker);

  function hint(version) {
    // Versions are named by their time. A dashboard may be of one that the tables are about to show.
    if (!version || version <= own.version || newer.hasChildNodes()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Reload";
    button.addEventListener("click", () => location.reload());
    newer.append(own.version ? "Newer data have come." : "The first data have come.", button);
  }

  worker.onmessage = ({ data: { told } }) => {
    if (!told) return;
    hint(told.version);
    if (told.version !== own.version) return; // the age is that of the page's own data
    for (const place of document.querySelectorAll(".freshness")) place.textContent = told.text;
  };

  const look = () => worker.postMessage({ url: own.url, seconds: document.hidden ? 0 : 30 });
  document.addEventListener("visibilitychange", look);
  document.addEventListener("version", ({ detail }) => hint(detail)); // told by another script of the page
  look();
})();
