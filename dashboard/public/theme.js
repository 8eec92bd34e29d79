// Runs before the first paint: a chosen theme must not flash in after the system's.
{
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}
