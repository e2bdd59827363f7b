// Draws the charts of a dashboard from the figures that stand in it, and lets their marks lead to tasks.
"use strict";

(() => {
  const config = { displaylogo: false, responsive: true, displayModeBar: false, plotlyServerURL: "" };
  const NARROW = 520; // pixels
  const touch = matchMedia("(pointer: coarse)").matches;
  const charts = [...document.querySelectorAll("[data-chart]")].map((place) => ({
    place,
    told: JSON.parse(document.getElementById(`${place.dataset.chart}-figure`).textContent),
    drawn: false,
  }));

  // A figure is told in its light dress, with what is unlike in the dark one.
  function dressed({ told, place }, theme) {
    const figure = structuredClone({ data: told.data, layout: told.layout });
    if (theme === "dark") {
      for (const [path, value] of told.dark) {
        const last = path.at(-1);
        const part = path.slice(0, -1).reduce((at, key) => (at[key] ??= {}), figure);
        part[last] = value;
      }
    }
    figure.layout = { ...figure.layout, width: undefined, autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
    if (place.clientWidth < NARROW) { // figures in cells would run into one another; a tap tells them
      for (const trace of figure.data) if (trace.type === "heatmap") trace.texttemplate = "";
    }
    if (touch) figure.layout.dragmode = false; // a finger scrolls the page
    return figure;
  }

  function draw(chart, theme = window.clickupTheme()) {
    const { data, layout } = dressed(chart, theme);
    Plotly.react(chart.place, data, layout, config);
    if (chart.drawn) return;
    chart.drawn = true;
    chart.place.on("plotly_click", (event) => follow(chart, event));
    chart.place.on("plotly_hover", (event) => chart.place.classList.toggle("leads", Boolean(address(chart, event))));
    chart.place.on("plotly_unhover", () => chart.place.classList.remove("leads"));
  }

  // As datasette writes ids in addresses.
  function encoded(id) {
    const bytes = new TextEncoder().encode(id);
    return [...bytes].map((byte) => {
      const letter = String.fromCharCode(byte);
      if (/[A-Za-z0-9_-]/.test(letter)) return letter;
      return letter === " " ? "+" : `~${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    }).join("");
  }

  function address(chart, event) {
    const point = event.points.find(({ data }) => data.meta?.id);
    if (!point) return "";
    const about = [point.customdata ?? []].flat();
    const id = String(about.at(-1) ?? "");
    const kind = point.data.meta.id;
    if (kind === "task") return id && chart.told.links.task + encoded(id);
    return chart.told.links[kind]?.[id] ?? "";
  }

  function follow(chart, event) {
    const href = address(chart, event);
    if (!href) return;
    const { ctrlKey, metaKey } = event.event ?? {};
    if (touch) offer(chart, href);
    else if (ctrlKey || metaKey) window.open(href, "_blank", "noopener");
    else location.assign(href);
  }

  // A tap shows what the mark says; a second one, on the link, goes there.
  function offer(chart, href) {
    let line = chart.place.parentElement.querySelector(".picked");
    if (!line) {
      line = document.createElement("p");
      line.className = "picked";
      line.setAttribute("aria-live", "polite");
      chart.place.after(line);
    }
    const link = document.createElement("a");
    link.href = href;
    link.textContent = href.startsWith(chart.told.links.task || "\n") ? "Open the task" : "Show these tasks";
    line.replaceChildren(link);
  }

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      const chart = charts.find(({ place }) => place === target);
      if (isIntersecting && !chart.drawn) draw(chart);
    }
  }, { rootMargin: "800px" });
  charts.forEach(({ place }) => seen.observe(place));
  document.addEventListener("themechange", () => charts.filter(({ drawn }) => drawn).forEach((chart) => draw(chart)));
  addEventListener("beforeprint", () => charts.forEach((chart) => draw(chart, "light")));
  addEventListener("afterprint", () => charts.forEach((chart) => draw(chart)));

  // Filters
  const choices = [...document.querySelectorAll("details.choice")];
  for (const choice of choices) {
    const find = choice.querySelector(".narrow");
    if (!find) continue;
    find.hidden = false;
    find.addEventListener("input", () => {
      const wanted = find.value.trim().toLocaleLowerCase();
      for (const label of choice.querySelectorAll("label")) {
        label.hidden = !label.textContent.toLocaleLowerCase().includes(wanted);
      }
    });
    find.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  }
  document.addEventListener("click", ({ target }) => {
    choices.filter((choice) => choice.open && !choice.contains(target)).forEach((choice) => { choice.open = false; });
  });
  document.addEventListener("keydown", ({ key }) => {
    const open = key === "Escape" && choices.find((choice) => choice.open);
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  const form = document.querySelector("form.filters");
  form?.period.addEventListener("change", () => { form.from.value = form.to.value = ""; });
  form?.addEventListener("submit", () => {
    // An address that says nothing needless is easier to share; days go before a named period.
    form.period.disabled = Boolean(form.from.value || form.to.value);
    for (const field of form.querySelectorAll("input[type=date], select")) if (!field.value) field.disabled = true;
  });
  addEventListener("pageshow", () => form?.querySelectorAll(":disabled").forEach((field) => { field.disabled = false; }));
})();
