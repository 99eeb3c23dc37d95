// Signing in on the local runtime: its users, and a token for one of them. A deployed gallery has nothing of this.

import { createHmac } from "node:crypto";
import { query } from "./database.mjs";

const TOKEN_SECONDS = 24 * 60 * 60;
/** The user of this name gets an operator's tokens here. */
const OPERATOR = "operator";
const LIST = "SELECT username FROM users WHERE status = 'active' ORDER BY username LIMIT 100";
const FIND = "SELECT id, username FROM users WHERE username = ? AND status = 'active'";

const isOperator = (username) => username === OPERATOR;
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** `{users: [{username, operator}]}`, by name, at most 100. */
export async function listUsers(database) {
  const rows = await query(database, { sql: LIST });
  return { users: rows.map(({ username }) => ({ username, operator: isOperator(username) })) };
}

/** `{token}` of the user for a day, signed with `secret` (HS256, RFC 7519); `{}` when there is no such active user. */
export async function issueToken(database, secret, { username }) {
  const [user] = typeof username === "string" ? await query(database, { sql: FIND, params: [username] }) : [];
  if (!user) return {};
  const issued = Date.now() / 1000;
  const role = isOperator(user.username) ? { role: "operator" } : {};
  const claims = { sub: user.id, iat: issued, exp: Math.floor(issued) + TOKEN_SECONDS, ...role };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return { token: `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}` };
}
