"""From a clone to Cloudflare: looks at the account, says what is to be done, does it."""
