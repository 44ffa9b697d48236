// Offers names while somebody types one; the fields work without this script too.
"use strict";

const WAIT = 200;

function listFor(field) {
  const list = document.createElement("datalist");
  list.id = `${field.id}_offers`;
  field.after(list);
  field.setAttribute("list", list.id);
  return list;
}

async function offer(field, list) {
  const url = `${field.dataset.suggest}&term=${encodeURIComponent(field.value)}`;
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) return;
  const { results } = await answer.json();
  list.replaceChildren(
    ...results.map((found) => {
      const option = document.createElement("option");
      option.value = found.value;
      option.label = found.text;
      return option;
    }),
  );
}

for (const field of document.querySelectorAll("[data-suggest]")) {
  const list = listFor(field);
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    if (field.value.trim().length < 2) return;
    timer = setTimeout(() => offer(field, list).catch(() => list.replaceChildren()), WAIT);
  });
}
