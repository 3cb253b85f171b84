// Package readmodel keeps the tables that pages and queries read. It follows
// the ledger: nothing writes a row but an event, the cursor moves in the same
// database transaction as the rows of its block, and all of it can be thrown
// away and made again from block 0.
//
// It holds no verdict: what the counters add up to is for reconsent to say.
package readmodel
