// Tabs as the ARIA practices describe them: arrows, Home and End move, the moved-to tab is shown.

export interface Tab<Id extends string> {
  id: Id;
  title: string;
  badge?: number;
}

interface TabsProps<Id extends string> {
  label: string;
  tabs: readonly Tab<Id>[];
  current: Id;
  onPick(id: Id): void;
}

const STEPS: Record<string, (at: number, count: number) => number> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at + count - 1) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

export function Tabs<Id extends string>({ label, tabs, current, onPick }: TabsProps<Id>) {
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = tabs.findIndex(({ id }) => id === current);
    const next = tabs[step(at, tabs.length)];
    if (next === undefined) return;
    onPick(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map(({ id, title, badge }) => (
        <button
          key={id}
          id={`tab-${id}`}
          type="button"
          role="tab"
          aria-selected={id === current}
          aria-controls={`view-${id}`}
          tabIndex={id === current ? 0 : -1}
          onClick={() => onPick(id)}
        >
          {title}
          {badge !== undefined && <span class="badge">{badge}</span>}
        </button>
      ))}
    </div>
  );
}
