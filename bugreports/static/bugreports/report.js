// Report page: keyboard shortcuts, dialogs, copy buttons, zoom of the screenshot.
(() => {
  const page = document.querySelector(".bug-page");

  for (const button of page.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => {
      const dialog = document.getElementById(button.dataset.opens);
      dialog.showModal();
      dialog.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    });
  }
  for (const button of document.querySelectorAll("[data-closes]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  for (const dialog of document.querySelectorAll(".bug-dialog")) {
    // Enter submits from any field; a textarea needs Ctrl+Enter.
    dialog.addEventListener("keydown", (event) => {
      const isText = event.target.tagName === "TEXTAREA";
      if (event.key !== "Enter" || event.target.tagName === "BUTTON" || (isText && !event.ctrlKey && !event.metaKey)) return;
      event.preventDefault();
      dialog.querySelector("form").requestSubmit();
    });
  }

  for (const button of page.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", async () => {
      const label = button.textContent;
      try {
        await navigator.clipboard.writeText(button.dataset.copies);
      } catch {
        const text = document.createElement("textarea"); // navigator.clipboard needs HTTPS
        text.value = button.dataset.copies;
        document.body.append(text);
        text.select();
        document.execCommand("copy");
        text.remove();
      }
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = label), 1200);
    });
  }

  const shot = page.querySelector(".bug-shot img");
  shot?.addEventListener("click", () => shot.classList.toggle("is-zoomed"));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const target = page.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    target.click();
  });
})();
