// Goes back to where one was as soon as the server answers: at once when asked, else every few seconds.
const EVERY_MS = 5000;
const state = document.getElementById("state");

async function look() {
  try {
    const answer = await fetch("/readyz", { cache: "no-store" });
    if (answer.ok) location.reload();
    else state.textContent = "The server answers, but is not ready yet.";
  } catch {
    state.textContent = navigator.onLine ? "Still no answer." : "This browser has no network.";
  }
}

document.getElementById("again").addEventListener("click", () => void look());
window.addEventListener("online", () => void look());
setInterval(() => void look(), EVERY_MS);
