/** What the programs of this subject have in common. */

/** The origin of the site's pages, which may ask. */
export const origin = "https://app.example"

/** What sessions are encrypted with. */
export const secret = "a secret of the bench that is known to all, and long enough"
