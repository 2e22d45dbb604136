// In Airflow's frame: its colours, and its own pages opened in it and not inside the frame.
const framed = window.parent !== window;
if (framed) {
  const outer = window.parent.document.documentElement;
  const follow = () => {
    document.documentElement.classList.toggle("dark", outer.classList.contains("dark"));
    document.documentElement.classList.toggle("light", outer.classList.contains("light"));
  };
  follow();
  new MutationObserver(follow).observe(outer, { attributes: true, attributeFilter: ["class"] });
  for (const link of document.querySelectorAll("a[href^='/dags/']")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      window.parent.history.pushState({}, "", link.getAttribute("href"));
      window.parent.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    });
  }
}
for (const select of document.querySelectorAll("select")) select.addEventListener("change", () => select.form.requestSubmit());
