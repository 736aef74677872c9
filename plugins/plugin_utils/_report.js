(() => {
  "use strict";
  const form = document.forms.filter;
  const count = document.getElementById("shown");
  const hosts = Array.from(document.querySelectorAll("tbody"), (body) => ({
    body,
    status: body.dataset.status,
    groups: body.dataset.groups.split(" "),
    text: null,
  }));

  const apply = () => {
    const statuses = Array.from(form.querySelectorAll(":checked[name=status]"), (box) => box.value);
    const group = form.elements.group.value;
    const words = form.elements.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const host of hosts) {
      if (words.length && host.text === null) host.text = host.body.textContent.toLowerCase();
      const fits =
        (!statuses.length || statuses.includes(host.status)) &&
        (!group || host.groups.includes(group)) &&
        words.every((word) => host.text.includes(word));
      host.body.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${shown} of ${hosts.length} hosts shown`;
  };

  for (const part of form.querySelectorAll("[hidden]")) part.hidden = false;
  // Some browsers send only the second event for a select.
  for (const event of ["input", "change"]) form.addEventListener(event, apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields are reset only after the event.
  form.addEventListener("reset", () => setTimeout(apply));
  // A browser that returns to the page restores the earlier choice.
  addEventListener("pageshow", apply);
})();
