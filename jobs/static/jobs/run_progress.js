// Updates the progress, chart and batches of an open run page. Reloads when the phase changes, because the buttons depend on it.
(() => {
  const panel = document.querySelector(".job-run");
  const bar = panel.querySelector("progress");
  const chart = panel.querySelector("[data-chart]");
  const active = ["planning", "starting", "running", "pausing", "cancelling", "undoing"];

  const draw = (bars) => {
    const maxRows = Math.max(1, ...bars.map((one) => one.rows));
    const width = 600 / 61;
    chart.replaceChildren(
      ...bars.map((one, index) => {
        const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        const height = (76 * one.rows) / maxRows;
        for (const [name, value] of Object.entries({ x: index * width, y: 80 - height, width: width - 1, height }))
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
    const response = await fetch(panel.dataset.progressUrl);
    if (!response.ok) return;
    const progress = await response.json();
    if (progress.phase !== panel.dataset.phase) {
      location.reload();
      return;
    }
    for (const element of panel.querySelectorAll("[data-field]"))
      element.textContent = progress[element.dataset.field] ?? "-";
    [bar.max, bar.value] = [progress.rowsTotal || 1, progress.rowsDone];
    panel.querySelector("[data-batches]").innerHTML = progress.batchesHtml;
    draw(progress.bars);
    if (active.includes(progress.phase)) setTimeout(refresh, 1500);
  };

  draw(JSON.parse(document.getElementById("job-bars").textContent));
  if (active.includes(panel.dataset.phase)) setTimeout(refresh, 1000);
})();
