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

  /* Another page takes the place of this one, in the browser's history too, and the server ends
     the session meanwhile. Nothing of the page is to be seen while the other one loads. */
  const exit = document.querySelector("[data-quick-exit]");
  if (exit) {
    const leave = () => {
      document.documentElement.hidden = true;
      document.title = "";
      fetch(exit.href, { redirect: "manual", keepalive: true }).catch(() => {});
      window.location.replace(exit.dataset.quickExit);
    };
    exit.addEventListener("click", (event) => {
      event.preventDefault();
      leave();
    });
    const WITHIN_MS = 5_000;
    let presses = [];
    document.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape" || event.repeat) return;
        const now = performance.now();
        presses = presses.filter((press) => now - press < WITHIN_MS).concat(now);
        if (presses.length >= 3) leave();
      },
      true,
    );
    for (const keys of document.querySelectorAll(".quick-exit-keys")) keys.hidden = false;
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) window.location.reload();
    });
  }

  for (const button of document.querySelectorAll("[data-show]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      const hidden = button.form.querySelectorAll("input[type=password]");
      const fields = hidden.length ? hidden : button.form.querySelectorAll("[data-shown]");
      for (const field of fields) {
        field.type = hidden.length ? "text" : "password";
        field.toggleAttribute("data-shown", hidden.length > 0);
      }
      button.textContent = hidden.length ? button.dataset.hide : button.dataset.show;
    });
  }

  /* Where one person uses the browser after another, what was typed does not wait for the next. */
  const { startAgain, idleSeconds } = document.body.dataset;
  if (startAgain) {
    let idle;
    const wait = () => {
      clearTimeout(idle);
      idle = setTimeout(() => window.location.replace(startAgain), Number(idleSeconds) * 1000);
    };
    for (const act of ["keydown", "pointerdown", "scroll"]) window.addEventListener(act, wait);
    wait();
  }

  const dialog = document.getElementById("session-dialog");
  if (!dialog || typeof dialog.showModal !== "function") return;
  const { sessionSeconds, warnAfter, keep, ended, token, tokenField, idField, id } = dialog.dataset;
  const left = dialog.querySelector(".session-left");
  const others = "BroadcastChannel" in window ? new BroadcastChannel("session") : null;
  const warnBefore = Number(sessionSeconds) - Number(warnAfter);
  let since = Date.now();
  let lasts = Number(sessionSeconds);

  /* A session ends some hours after it began, however often it is kept: the server says when. */
  const kept = (seconds) => {
    since = Date.now();
    lasts = seconds;
    if (dialog.open) dialog.close();
  };
  const over = () => window.location.replace(ended);
  const keepOn = async () => {
    const form = new URLSearchParams({ [tokenField]: token, [idField]: id });
    try {
      const answer = await fetch(keep, { method: "POST", body: form, redirect: "manual" });
      if (answer.status !== 204) return over();
      kept(Number(answer.headers.get("Session-Seconds")));
    } catch {
      return; /* Without a connection nothing is lost yet: the next second tries what there is. */
    }
    if (others) others.postMessage(lasts);
  };
  /* A page that was opened in another window counts as being there too. */
  if (others) {
    others.addEventListener("message", (event) => kept(event.data));
    others.postMessage(lasts);
  }
  dialog.querySelector("[data-keep-session]").addEventListener("click", keepOn);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    keepOn();
  });
  setInterval(() => {
    const passed = (Date.now() - since) / 1000;
    if (passed >= lasts) return over();
    if (passed < lasts - warnBefore) return;
    const words = lasts - passed > 60 ? left.dataset.many : left.dataset.one;
    if (left.textContent !== words) left.textContent = words;
    if (!dialog.open) dialog.showModal();
  }, 1000);
})();
