// The API's contract, rendered by Swagger UI from the document that the gateway itself serves.

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

SwaggerUI({
  url: "/openapi.json",
  domNode: document.getElementById("viewer"),
  deepLinking: true,
  // No answer may leave for a validator elsewhere.
  validatorUrl: null,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
});
