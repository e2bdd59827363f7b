// Draws the charts of an executed notebook from the figures that stand in it, and folds its code.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function dress(layout) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const line = style.getPropertyValue("--line").trim();
  const dressed = { ...layout, paper_bgcolor: "rgba(0,0,0,0)", autosize: true };
  delete dressed.width;
  if (dark.matches) {
    dressed.plot_bgcolor = "rgba(0,0,0,0)";
    dressed.font = { ...layout.font, color: ink };
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key)).concat("xaxis", "yaxis")) {
      const axis = { gridcolor: line, zerolinecolor: line, linecolor: line };
      dressed[name] = { ...layout[name], ...axis };
    }
  }
  return dressed;
}

function draw(figure) {
  const { data, layout, config } = JSON.parse(figure.querySelector("script").textContent);
  const place = figure.querySelector(".place") ?? figure.appendChild(document.createElement("div"));
  place.className = "place";
  if (layout?.height) place.style.height = `${layout.height}px`;
  const quiet = { ...config, responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  return Plotly.react(place, data, dress(layout ?? {}), quiet);
}

const figures = document.querySelectorAll("figure.chart");
const drawAll = () => figures.forEach(draw);
drawAll();
dark.addEventListener("change", drawAll);

const button = document.getElementById("code");
const folds = document.querySelectorAll("details.code");
button.hidden = folds.length === 0;
button.addEventListener("click", () => {
  const open = button.textContent === "Show code";
  folds.forEach((fold) => { fold.open = open; });
  button.textContent = open ? "Hide code" : "Show code";
});
