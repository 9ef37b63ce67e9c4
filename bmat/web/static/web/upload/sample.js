// A small play log, for those who have none at hand.

const ROWS = `Song,Date,Number of Plays
Umbrella,2020-01-02,200
Umbrella,2020-01-01,100
In The End,2020-01-01,500
Umbrella,2020-01-01,50
In The End,2020-01-01,1000
Umbrella,2020-01-02,50
In The End,2020-01-02,500
`;

export const sample = () => new File([ROWS], "plays.csv", { type: "text/csv" });
