// Keyboard shortcuts of the report list: j and k move, Enter opens, x selects, / searches.
(() => {
  const rows = () => [...document.querySelectorAll("#result_list tbody tr")].filter((row) => row.querySelector(".bug-line"));
  let at = -1;

  const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

  const go = (to) => {
    const all = rows();
    if (!all.length) return;
    all[at]?.classList.remove("is-current");
    at = Math.max(0, Math.min(to, all.length - 1));
    all[at].classList.add("is-current");
    all[at].scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const row = rows()[at];
    if (event.key === "j") go(at + 1);
    else if (event.key === "k") go(at - 1);
    else if (event.key === "Enter" && row && !event.target.closest("a, button")) row.querySelector(".bug-line").click();
    else if (event.key === "x" && row) row.querySelector("input.action-select")?.click();
    else if (event.key === "/") document.querySelector("#searchbar")?.focus();
    else return;
    event.preventDefault();
  });

  const ready = () => {
    if (!rows().length) return;
    const help = document.createElement("p");
    help.className = "bug-help";
    help.innerHTML = "<kbd>j</kbd><kbd>k</kbd> move <kbd>Enter</kbd> open <kbd>x</kbd> select <kbd>/</kbd> search";
    document.body.append(help);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
