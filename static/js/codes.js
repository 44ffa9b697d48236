// Copies and prints backup codes; the page works without this script too.
"use strict";

function showActions(within) {
  within.hidden = false;
  const told = within.querySelector("[data-copied]");
  within.querySelector("[data-copy]").addEventListener("click", async ({ currentTarget }) => {
    const list = document.getElementById(currentTarget.dataset.copy);
    const codes = Array.from(list.children, (item) => item.textContent.trim());
    await navigator.clipboard.writeText(`${codes.join("\n")}\n`);
    told.textContent = told.dataset.copied;
  });
  within.querySelector("[data-print]").addEventListener("click", () => window.print());
}

document.querySelectorAll("[data-with-script]").forEach(showActions);
