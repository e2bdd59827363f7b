// Names the fields of datasette's forms for those who cannot see where they stand.
"use strict";

addEventListener("load", () => {
  const names = {
    "[name^=_filter_column]": "Column to filter by",
    "[name^=_filter_op]": "Comparison",
    "[name^=_filter_value]": "Value to compare with",
    "#sort_by": "Sort by",
    ".CodeMirror textarea": "SQL",
  };
  for (const [fields, name] of Object.entries(names)) {
    for (const field of document.querySelectorAll(fields)) field.setAttribute("aria-label", name);
  }
});
