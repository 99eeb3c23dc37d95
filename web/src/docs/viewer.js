// The API's contract, rendered by Swagger UI from the document that the gateway itself serves.

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import { withSamples } from "./samples.js";

const place = /** @type {HTMLElement} */ (document.getElementById("viewer"));
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`);
  SwaggerUI({
    spec: withSamples(await answer.json()),
    domNode: place,
    deepLinking: true,
    // No answer may leave for a validator elsewhere.
    validatorUrl: null,
    tryItOutEnabled: true,
    defaultModelsExpandDepth: 0,
  });
} catch (error) {
  console.warn(error);
  place.textContent = "The contract cannot be fetched at the moment. Try again later.";
}
