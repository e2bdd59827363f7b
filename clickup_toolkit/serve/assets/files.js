// Copies what is to be typed elsewhere.
"use strict";

const said = document.getElementById("copied");

async function copy(place) {
  try {
    await navigator.clipboard.writeText(place.textContent);
    return true;
  } catch { // a page without TLS has no clipboard of that kind
    getSelection().selectAllChildren(place);
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(document.getElementById(button.dataset.copy));
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    said.textContent = done ? `${button.getAttribute("aria-label")}: done` : "The text is selected; press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2500);
  });
}
