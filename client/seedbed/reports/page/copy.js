for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "copied";
  });
}
for (const link of document.querySelectorAll('a[href^="#"]')) {
  link.addEventListener("click", () => {
    const row = document.getElementById(link.hash.slice(1));
    row?.closest("details")?.setAttribute("open", "");
  });
}
