// Keeps the metrics of a run's page up to date while it is open.
(() => {
  const panel = document.querySelector(".albumart-run");
  const bar = panel.querySelector("progress");
  const refresh = async () => {
    const response = await fetch(panel.dataset.progressUrl);
    if (!response.ok) return;
    const metrics = await response.json();
    for (const field of panel.querySelectorAll("[data-field]")) field.textContent = metrics[field.dataset.field];
    if (metrics.asked) [bar.max, bar.value] = [metrics.asked, metrics.done];
    if (metrics.done < metrics.asked) setTimeout(refresh, 2000);
  };
  setTimeout(refresh, 2000);
})();
