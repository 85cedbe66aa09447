// Replaces the page's content when something happened, at most twice a second.
const live = document.getElementById("live");
let wanted = false, busy = false;
function times() {
  for (const time of live.querySelectorAll("time[data-ms]")) {
    time.textContent = new Date(Number(time.dataset.ms)).toLocaleTimeString();
  }
}
async function refresh() {
  wanted = true;
  if (busy) return;
  busy = true;
  while (wanted) {
    wanted = false;
    try {
      const answer = await fetch("/fragment");
      if (answer.ok) { live.innerHTML = await answer.text(); times(); }
    } catch (_) { /* the next event tries again */ }
    await new Promise(done => setTimeout(done, 500));
  }
  busy = false;
}
times();
const events = new EventSource("/api/v1/events");
events.onmessage = refresh;
events.addEventListener("reset", refresh);
setInterval(refresh, 15000);
