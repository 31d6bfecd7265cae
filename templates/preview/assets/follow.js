// Follows the draft: after each save the page, or the site in its frame, is loaded anew at the same place.
"use strict";
const frame = document.getElementById("site");
let shown = document.body.dataset.state;

if (frame) {
  const place = location.hash.slice(1);
  if (place.startsWith("/site/")) frame.src = place;
  frame.addEventListener("load", () => {
    const inside = frame.contentWindow;
    const at = inside.location.pathname + inside.location.hash;
    history.replaceState(null, "", location.search + "#" + at);
    for (const link of document.querySelectorAll("nav.widths a")) link.hash = "#" + at;
    for (const link of inside.document.querySelectorAll("a[href^='http']")) {
      if (link.host !== location.host) {
        link.target = "_blank";
        link.rel = "noopener noreferrer";
      }
    }
  });
}

const news = new EventSource("/changes");
news.onopen = () => document.body.classList.remove("ended");
news.onerror = () => document.body.classList.add("ended");
news.onmessage = (event) => {
  const now = JSON.parse(event.data);
  if (now.state === shown) return;
  shown = now.state;
  if (frame && now.sound) {
    frame.contentWindow.location.reload();
    document.querySelector(".state").textContent = now.said;
    const wrong = document.querySelector(".wrong");
    wrong.textContent = now.wrong;
    wrong.hidden = now.wrong === "";
  } else {
    location.reload();
  }
};
