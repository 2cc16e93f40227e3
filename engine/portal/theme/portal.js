/* Makes the pages nicer; every one of them works without it. */
"use strict";

(() => {
  const summary = document.querySelector(".summary");
  if (summary) summary.focus();

  for (const print of document.querySelectorAll("[data-print]")) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }

  /* A form that is on its way is not sent again; one that a reader comes back to, or that did not
     get through for a while, is. */
  const RETRY_MS = 10_000;
  for (const form of document.querySelectorAll("form[method=post]")) {
    let sent = -Infinity;
    form.addEventListener("submit", (event) => {
      if (performance.now() - sent < RETRY_MS) event.preventDefault();
      else sent = performance.now();
    });
    window.addEventListener("pageshow", () => (sent = -Infinity));
  }

  const dialog = document.getElementById("session-dialog");
  if (!dialog || typeof dialog.showModal !== "function") return;
  const { sessionSeconds, warnAfter, keep, ended, token, tokenField, idField, id } = dialog.dataset;
  const left = dialog.querySelector(".session-left");
  const others = "BroadcastChannel" in window ? new BroadcastChannel("session") : null;
  let since = Date.now();

  const kept = () => {
    since = Date.now();
    if (dialog.open) dialog.close();
  };
  const over = () => window.location.replace(ended);
  const keepOn = async () => {
    const form = new URLSearchParams({ [tokenField]: token, [idField]: id });
    try {
      const answer = await fetch(keep, { method: "POST", body: form, redirect: "manual" });
      if (answer.status !== 204) return over();
    } catch {
      return; /* Without a connection nothing is lost yet: the next second tries what there is. */
    }
    kept();
    if (others) others.postMessage("kept");
  };
  /* A page that was opened in another window counts as being there too. */
  if (others) {
    others.addEventListener("message", kept);
    others.postMessage("kept");
  }
  dialog.querySelector("[data-keep-session]").addEventListener("click", keepOn);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    keepOn();
  });
  setInterval(() => {
    const passed = (Date.now() - since) / 1000;
    if (passed >= Number(sessionSeconds)) return over();
    if (passed < Number(warnAfter)) return;
    const words = Number(sessionSeconds) - passed > 60 ? left.dataset.many : left.dataset.one;
    if (left.textContent !== words) left.textContent = words;
    if (!dialog.open) dialog.showModal();
  }, 1000);
})();
