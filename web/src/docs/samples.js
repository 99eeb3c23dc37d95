// Adds to the contract what only its viewer needs: groups of operations, bodies to start from, a sample of each error.
// Pure.

/** @typedef {Record<string, any>} Json */

const GROUPS = /** @type {const} */ ([
  ["/api/artworks/upload-url", "Upload"],
  ["/api/artworks/readiness", "Upload"],
  ["/api/artworks", "Artworks"],
  ["/api/users/{username}/artworks", "Artworks"],
  ["/api/search", "Artworks"],
  ["/cdn/", "Artworks"],
  ["/api/me", "Users"],
  ["/api/users", "Users"],
]);
const REST = "Operation";
const TAGS = [
  { name: "Upload", description: "Three steps: ask for a ticket, PUT the file, make an artwork of it." },
  { name: "Artworks", description: "Lists, single artworks and their renditions." },
  { name: "Users", description: "The caller's quota; for operators, all users." },
  { name: REST, description: "Health, the sweeper, this document, feeds." },
];
// What a request may say. The key is the one of a ticket, so that this one has to be replaced.
const BODIES = /** @type {Record<string, Json>} */ ({
  createUploadTicket: { filename: "still-life.jpg", contentType: "image/jpeg", size: 204800 },
  createArtwork: {
    originalKey: "originals/usr_0123456789abcdef/123e4567-e89b-42d3-a456-426614174000.jpg",
    title: "Still Life",
    description: "Pears and a jug, by morning light.",
    materials: "Oil on canvas",
    dimensions: "60 × 80 cm",
    createdDate: "2024-05",
    category: "painting",
    tags: ["pears", "morning"],
  },
  changeArtwork: { title: "Still Life with Pears", tags: ["pears"] },
  createUser: { username: "ada", artworkLimit: 100 },
  changeUser: { artworkLimit: 200 },
});
const SENTENCES = /** @type {Record<string, string>} */ ({
  invalid_request: "Missing required fields: title, originalKey",
  unauthorized: "Unauthorized",
  suspended: "This user is suspended.",
  forbidden: "This artwork belongs to somebody else.",
  not_found: "There is no such artwork.",
  method_not_allowed: "This address does not answer to that method.",
  conflict: "This original is being processed right now.",
  already_exists: "This username is taken.",
  precondition_failed: "The artwork has changed since it was read.",
  too_large: "The file is too large.",
  unsupported_type: "Files of this type are not accepted.",
  range_not_satisfiable: "The range lies outside the file.",
  unreadable_image: "The picture cannot be read.",
  original_replaced: "The original is another file by now.",
  artwork_limit_reached: "Artwork limit reached",
  upload_limit_reached: "Too many uploads are open.",
  rate_limited: "Too many requests.",
  processing_failed: "Image processing failed. Please try again.",
  not_configured: "The gallery is not set up completely.",
  internal: "Internal server error",
  overloaded: "The gallery is busy.",
  unavailable: "The gallery cannot answer at the moment.",
});

/**
 * A copy of an OpenAPI document with tags, bodies and errors to look at.
 * @param {Json} contract
 * @returns {Json}
 */
export function withSamples(contract) {
  const document = structuredClone(contract);
  const used = new Set();
  for (const [path, methods] of Object.entries(document.paths ?? {})) {
    const group = GROUPS.find(([beginning]) => path.startsWith(beginning))?.[1] ?? REST;
    for (const operation of Object.values(methods)) {
      if (!operation?.operationId) continue;
      operation.tags ??= [group];
      used.add(group);
      const body = operation.requestBody?.content?.["application/json"];
      if (body) body.example ??= BODIES[operation.operationId];
      for (const answer of Object.values(operation.responses ?? {})) describe(answer.content?.["application/json"]);
    }
  }
  document.tags ??= TAGS.filter(({ name }) => used.has(name));
  return document;
}

/**
 * Gives an error's answer a sample for each of its codes.
 * @param {Json | undefined} content
 */
function describe(content) {
  const parts = content?.schema?.allOf ?? [];
  const codes = parts.flatMap((/** @type {Json} */ part) => part.properties?.code?.enum ?? []);
  if (!content || codes.length === 0) return;
  content.examples ??= Object.fromEntries(
    codes.map((/** @type {string} */ code) => [
      code,
      { value: { error: SENTENCES[code] ?? "It did not work.", code, requestId: "1f0c2a9e" } },
    ]),
  );
}
