// Light or dark: as the address says, else as the reader chose here, else as the system has it.
// Stands in the head, so that no page is shown in the other dress first.
"use strict";

(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const choices = ["", "light", "dark"];
  const names = { "": "as the system", light: "light", dark: "dark" };

  function kept() {
    try {
      return localStorage.getItem("theme") ?? "";
    } catch {
      return ""; // storage may be denied
    }
  }
  function keep(choice) {
    try {
      if (choice) localStorage.setItem("theme", choice);
      else localStorage.removeItem("theme");
    } catch { /* then the choice holds for this page alone */ }
  }
  function dress(choice) {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
  }

  let chosen = root.dataset.theme ?? kept();
  dress(chosen);
  window.clickupTheme = () => root.dataset.theme ?? (system.matches ? "dark" : "light");
  const tell = () => document.dispatchEvent(new Event("themechange"));
  system.addEventListener("change", tell);

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const label = () => {
      button.title = `Colours: ${names[chosen]}`;
      button.setAttribute("aria-label", `Colours: ${names[chosen]}. Change`);
    };
    label();
    button.hidden = false;
    button.addEventListener("click", () => {
      chosen = choices[(choices.indexOf(chosen) + 1) % choices.length];
      keep(chosen);
      dress(chosen);
      label();
      tell();
    });
  });
})();
