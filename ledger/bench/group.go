package main

// grouping hands what comes together to one writer as one group.
type grouping struct {
	queue chan waiting
	done  chan struct{}
}

type waiting struct {
	entry []byte
	done  chan error
}

// group starts the writer, which is told up to size entries at once and
// returns when they are durable.
func group(clients, size int, write func([]waiting) error) *grouping {
	g := &grouping{queue: make(chan waiting, clients), done: make(chan struct{})}
	go func() {
		defer close(g.done)
		for first := range g.queue {
			batch := []waiting{first}
			for more := true; more && len(batch) < size; {
				select {
				case w, open := <-g.queue:
					if more = open; more {
						batch = append(batch, w)
					}
				default:
					more = false
				}
			}
			err := write(batch)
			for _, w := range batch {
				w.done <- err
			}
		}
	}()
	return g
}

func (g *grouping) add(entry []byte) error {
	w := waiting{entry, make(chan error, 1)}
	g.queue <- w
	return <-w.done
}

func (g *grouping) close() {
	close(g.queue)
	<-g.done
}
