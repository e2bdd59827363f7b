// Draws the charts of an executed notebook from the figures that stand in it, and folds its code.
"use strict";

for (const figure of document.querySelectorAll("figure.chart")) {
  const { data, layout = {}, config } = JSON.parse(figure.querySelector("script").textContent);
  const place = figure.appendChild(document.createElement("div"));
  place.className = "place";
  if (layout.height) place.style.height = `${layout.height}px`;
  // As wide as the page, whatever width the notebook was made for.
  const fitted = { ...layout, width: undefined, autosize: true };
  Plotly.newPlot(place, data, fitted, { ...config, responsive: true, displaylogo: false });
}

// What scrolls sideways is to be reached by keyboard, too.
for (const output of document.querySelectorAll(".output_html, pre")) {
  if (output.scrollWidth > output.clientWidth) output.tabIndex = 0;
}

const button = document.getElementById("code");
const folds = document.querySelectorAll("details.code");
button.hidden = folds.length === 0;
button.addEventListener("click", () => {
  const open = button.textContent === "Show code";
  folds.forEach((fold) => { fold.open = open; });
  button.textContent = open ? "Hide code" : "Show code";
});
