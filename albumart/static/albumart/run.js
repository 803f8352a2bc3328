// Keeps the figures of a run's page up to date while it is open.
(() => {
  const panel = document.querySelector(".albumart-run");
  const bar = panel.querySelector("progress");
  const refresh = async () => {
    const answer = await fetch(panel.dataset.figures);
    if (!answer.ok) return;
    const figures = await answer.json();
    for (const field of panel.querySelectorAll("[data-figure]")) field.textContent = figures[field.dataset.figure];
    if (figures.asked) [bar.max, bar.value] = [figures.asked, figures.done];
    if (figures.done < figures.asked) setTimeout(refresh, 2000);
  };
  setTimeout(refresh, 2000);
})();
