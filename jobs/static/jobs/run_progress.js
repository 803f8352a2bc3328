// Keeps a run's page up to date while it is open: figures, chart and batches; a new state means other buttons.
(() => {
  const panel = document.querySelector(".backfill-run");
  const bar = panel.querySelector("progress");
  const chart = panel.querySelector("[data-chart]");
  const active = ["running", "pausing", "cancelling", "undoing"];

  const draw = (bars) => {
    const most = Math.max(1, ...bars.map((one) => one.rows));
    const width = 600 / 61;
    chart.replaceChildren(
      ...bars.map((one, place) => {
        const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        const height = (76 * one.rows) / most;
        for (const [name, value] of Object.entries({ x: place * width, y: 80 - height, width: width - 1, height }))
          box.setAttribute(name, value);
        box.setAttribute("fill", one.isUndo ? "#d97706" : "#7c3aed");
        const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
        title.textContent = `${one.rows} rows, ${one.at}`;
        box.append(title);
        return box;
      }),
    );
  };

  const refresh = async () => {
    const answer = await fetch(panel.dataset.figures);
    if (!answer.ok) return;
    const figures = await answer.json();
    if (figures.state !== panel.dataset.state || String(figures.isPlanned) !== panel.dataset.planned) {
      location.reload();
      return;
    }
    for (const field of panel.querySelectorAll("[data-figure]")) field.textContent = figures[field.dataset.figure] ?? "-";
    [bar.max, bar.value] = [figures.rowsTotal || 1, figures.rowsDone];
    panel.querySelector("[data-batches]").innerHTML = figures.batchesHtml;
    draw(figures.bars);
    if (active.includes(figures.state) || !figures.isPlanned) setTimeout(refresh, 1500);
  };

  draw(JSON.parse(document.getElementById("backfill-bars").textContent));
  if (active.includes(panel.dataset.state) || panel.dataset.planned === "false") setTimeout(refresh, 1000);
})();
