// Whether the console is dark, before anything of it is drawn; src/shell/theme.ts follows it from there on.
{
  let chosen = null;
  try {
    chosen = JSON.parse(localStorage.getItem("switchboard.theme"));
  } catch {
    // Storage is blocked, or another page wrote there: as the system.
  }
  const isDark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.toggleAttribute("data-dark", isDark);
}
