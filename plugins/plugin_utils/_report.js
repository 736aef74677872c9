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
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
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
  // Not every browser tells of a choice by the first of them.
  for (const event of ["input", "change"]) form.addEventListener(event, apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields have their first values only after the event.
  form.addEventListener("reset", () => setTimeout(apply));
  // A browser that goes back to the page fills in what was chosen before.
  addEventListener("pageshow", apply);
})();
